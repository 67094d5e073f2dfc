"""How AFN writes its log: one form for all lines, with the request's id and without secrets."""
