"""What other apps hear of migrations."""

from django.dispatch import Signal

# Sent within the transaction of a switch, with `collection`, which has the name now, and `using`. Rows that
# refer to the collection have been taken along; what was made over its tables has to be made anew.
switched = Signal()
