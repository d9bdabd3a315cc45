"""Other warning methods on the same simulated towns: classical contact tracing and a proximity app. Pure.

`record.Record` has the data of a town, `alarms` computes one score per person and day for each method, and `measure`
compares the methods at an equal rate of alarms.
"""
