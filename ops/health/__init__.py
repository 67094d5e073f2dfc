"""Is what AFN stands on reachable and working? Asked by load balancers, monitors and people.

`watching.current` is what everybody asks: the state of each part (`parts`), a few seconds old at most,
shared by the processes of a machine (`sharing`), and kept as a history (`history`).
"""
