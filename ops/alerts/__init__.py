"""Alerts: figures compared with limits again and again, and people told when one is passed or kept again.

`metrics` reads the figures, `judging` decides by a rule, `evaluating` keeps what came of it, `telling` says
who is told, and `delivering` tells them.
"""
