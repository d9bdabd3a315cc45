"""Check-in, passes, doors and visits. Begin at `passes.services.checkins` and `passes.services.scans`.

`codec` is the protocol and `admission` the decisions, both pure; `services` write, `selectors` read.
"""
