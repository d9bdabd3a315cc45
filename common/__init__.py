"""Code that every app uses: privacy declarations, purge, audit, time, cryptography, locks. Begin with `privacy`."""
