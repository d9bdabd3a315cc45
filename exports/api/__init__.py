"""The API of this app: views and serializers, thin over services and selectors. Begin with `datasets.py`."""
