"""Say in what other SAMs differ from the one of the papers, one piece at a time.

A `recipe` lays SAM out as small functions. A variant is a change of that recipe: `conventions` are
the `changes` that honest implementations make, and `mutants` are the mistakes. The specification,
the vectors and the oracle are held against both.
"""
