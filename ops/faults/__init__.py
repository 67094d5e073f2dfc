"""What holds when processes and servers die: AFN in a temporary folder, with faults by a seed, and counted.

`running` has the scenarios by name. Each works in a `place` of its own and touches nothing else.
"""
