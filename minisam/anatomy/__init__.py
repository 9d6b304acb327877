"""Take a step that was watched apart: what each part of it does, whatever the other parts do.

`measuring` fills in the `facts` of a step: the climb and the last step, each by itself, compared by
`climbs` and told by `facts_in_words`. `evidence` sorts the steps by what they show. `conditions`
finds under which circumstances something goes wrong, from the `features` of probes and steps.
`formula` finds by which sum of vectors, of those that were `at_hand`, their `entries` as they were
or rearranged; `sums` writes it, and `told_formula` says it beside the right one. The oracle puts
all this together, in its `skills` and for a mistake that is `unknown`.
"""
