"""The shield of one holder. Begin with `answer`; `reasons` explains why a visit cost what it did."""
