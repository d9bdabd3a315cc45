"""Crowd state, shields and cards of places. Begin at `risk.shield.answer`, the way of one shield; `risk.model` is pure.

`crowd` keeps who was together up to date, `scouting` says what a stay would cost, `reads` holds the SQL over visits.
"""
