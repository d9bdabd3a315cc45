"""Doses of many visits from folders of Parquet, on this machine or on Spark. Knows neither Django nor the database.

Begin at `kernel.doses_of_venue`: what one venue's visits give each other. `local` and `spark` differ only in who calls
it; venues never interact, so both return the same bits under the same versions of numpy and numba.
"""
