"""Figures: counted in each process (`counters`), measured when somebody asks (`measuring`), and told to
Prometheus (`exposition`). `measuring.measure` is for whoever compares them with thresholds.
"""
