"""What every app uses: privacy declarations, purge, audit, time, cryptography, locks. Begin at `privacy`."""
