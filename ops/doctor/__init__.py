"""What is wrong here, why that matters, and what mends it: for when something does not work.

`areas` has the examinations, one a module. `running` makes them, each by itself, so that one that fails or
hangs keeps none of the others from its answer. They only read (`reading`). `bundle` packs what was found for
somebody who helps from afar, without secrets and without anybody's prompts.
"""
