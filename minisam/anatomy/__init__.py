"""Take a step that was watched apart: what each part of it does, whatever the other parts do.

`facts` measures the climb and the last step by themselves, with the help of `climbs`, and
`facts_in_words` says what they are. `conditions` finds under which circumstances something goes
wrong, and `formula` by which sum of vectors, of those that were `at_hand`. The oracle puts them
together, in its `skills` and for a mistake that is `unknown`.
"""
