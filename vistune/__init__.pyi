from vistune.data.samples import read as read
from vistune.errors import InputError as InputError
from vistune.evals.score import score as score
from vistune.model.answering.opening import load as load
from vistune.nano import nano as nano
from vistune.recipe import Recipe as Recipe
from vistune.recipe import Stage as Stage
from vistune.recipe import load_recipe as load_recipe
from vistune.sample import Media as Media
from vistune.sample import MediaRef as MediaRef
from vistune.sample import Region as Region
from vistune.sample import Sample as Sample
from vistune.sample import Text as Text
from vistune.sample import Turn as Turn
from vistune.training.run import train as train

__version__: str
