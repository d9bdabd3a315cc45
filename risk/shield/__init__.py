"""The shield of one holder. Begin at `answer`; `reasons` says why a visit cost what it did."""
