"""For every test: no deadline for one example of Hypothesis, and AWS's models read from disk once.

A busy machine would miss a deadline. A test that makes an AWS client of its own would spend most of its time on
reading models, if each session had a loader of its own; the loader keeps what it has read, and nobody changes that.
"""

import botocore.session
from botocore.loaders import Loader
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

_create_loader = botocore.session.create_loader
_loaders: dict[str | None, Loader] = {}


def _shared_loader(search_path: str | None = None) -> Loader:
    loader = _loaders.setdefault(search_path, _loaders.get(search_path) or _create_loader(search_path))
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)  # each session of boto3 adds its own once more
    return loader


botocore.session.create_loader = _shared_loader
