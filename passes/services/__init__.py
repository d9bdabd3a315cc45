"""Writes of the app. Begin with `checkins` (a pass) and `scans` (a scan, with its SQL in `scan_sql`)."""
