"""Check-in, passes, doors and visits. Begin with `passes.services.checkins` and `passes.services.scans`.

`codec` is the protocol and `admission` makes the decisions, both pure; `services` write, `selectors` read.
"""
