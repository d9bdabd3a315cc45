"""Other ways to warn, on the same simulated towns: classical contact tracing and a proximity app. Pure.

`record.Record` is what a town left behind, `warnings` has one score a person and day for each way to warn, `measure`
compares them at an equal rate of alarms.
"""
