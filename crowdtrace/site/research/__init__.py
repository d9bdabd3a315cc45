"""The page of the open data. Begin at `views`; `shown` reads the dataset."""
