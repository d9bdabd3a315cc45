"""Crowd state, shields and scouting cards.

Begin with `risk.shield.answer`, which computes one shield. `risk.model` is pure, `crowd` keeps the record of who was
together up to date, `scouting` estimates what a stay would cost, and `reads` holds the SQL over visits.
"""
