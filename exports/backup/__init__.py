"""Backup and restore of a deployment: database, lake, logs of erasures and draws, pointers of the catalogue."""
