"""What the cells of a tutorial say: a guess beside the answer, a line a skill, a picture in words.

A notebook that one works through asks before it tells. A reader who has not answered yet is told
"not yet" and nothing worse, so that every cell runs before anything is filled in. One who has
answered wrongly is asked a question, and not told the answer.
"""

from minisam.lesson.cells import in_short, reveal, show
from minisam.lesson.skills import agrees, skill

__all__ = ["agrees", "in_short", "reveal", "show", "skill"]
