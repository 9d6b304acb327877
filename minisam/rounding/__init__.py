"""Numbers that carry a bound on their own rounding error.

How far may a correct implementation be from the exact answer? A tolerance out of the air is either
too wide, and mistakes hide in it, or too narrow, and honest code fails. Here the answer is derived,
as J. H. Wilkinson did it by hand: every number comes with a bound on the error that rounding may
have brought into it, and every operation passes the bounds of its operands on and adds its own.

    one operation           fl(x ∘ y) = (x ∘ y)(1 + δ), |δ| ≤ u
    a sum of n, any order   |error| ≤ γ Σ|x|, γ = (n−1)u/(1 − (n−1)u)

u is 2⁻⁵³ for float64, 2⁻²⁴ for float32 and 2⁻⁸ for bfloat16. The values are held in float64, the
bounds are those of the chosen precision. What rounding leaves alone adds nothing: zero plus x, a
power of two times x. So at lr = 0 the bound on the new weights is zero, and they must be the old
ones to the bit.

Below the smallest normal number, 2⁻¹²⁶ in float32, a format has fewer digits, and many a device
makes a zero of what falls there, as XLA does on the CPU. A result that may be so small may be off
by all of itself. The next operation may read it as zero, too: its bound says so already.

Two questions are answered so. The oracle runs `minisam.optim` on `Rounded` parameters in the
precision that an implementation claims: the library's own code computes the reference together
with its tolerance, and `ratio` compares. The specification writes its equations in `Rounded`
numbers of float64, in which it evaluates them: an equation yields its own tolerance.

`formats` has u and the ends of each format's range, `rounded` the array with its bound. What NumPy
does with it is in `arithmetic`, `curves` and `choices`; `ratio` is a `comparison`.

Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 2.2 and eqs.
3.3 to 3.5.
"""

from minisam.rounding import choices  # noqa: F401  # registers what it does, too
from minisam.rounding.arithmetic import inner  # noqa: F401
from minisam.rounding.comparison import ratio  # noqa: F401
from minisam.rounding.curves import norm, sigmoid  # noqa: F401
from minisam.rounding.formats import UNITS, Unit, gamma, to_bfloat16, to_unit  # noqa: F401
from minisam.rounding.formats import unit_roundoff as unit_roundoff
from minisam.rounding.rounded import Rounded, exact, is_exact, value_of  # noqa: F401
