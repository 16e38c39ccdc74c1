"""What the first steps of training do: `watch` for loops, `probe` for a single step."""

from fanin.watching.comparing import probe as probe
from fanin.watching.start import weights_only as weights_only
from fanin.watching.verb import watch as watch
from fanin.watching.watch import Watch as Watch
