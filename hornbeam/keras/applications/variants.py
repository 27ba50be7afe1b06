"""The public functions: one per architecture, with the signatures of Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.keras.applications.assembly import Body, Request, assemble, average_head, standard_input_shape
from hornbeam.keras.applications.weight_files import Published
from hornbeam.keras.models.model import Model

_DOC = """{name}: {about}.

    Args:
        include_top: with the classifier at the end.
        weights: ``"imagenet"`` for the published weights, None for random ones, or the path of a weights file.
        input_tensor: symbolic tensor to build on, in place of an input of its own.
        input_shape: shape of the pictures without the batch axis; needed for sizes other than the usual one.
        pooling: without the classifier: None for the feature map, ``"avg"`` or ``"max"`` for one vector per picture.
        classes: number of classes; 1000 with the published classifier.
        classifier_activation: activation of the classifier, None for logits.{named}{extra}

    Returns:
        A functional ``Model``. {pixels}

    Raises:
        ValueError: arguments that do not go together, a picture shape that does not fit, a file that is not there.

    References: {paper}. Keras ``applications.{name}``.
    """


def describe(
    construct: Callable[..., Model],
    name: str,
    module: str,
    *,
    about: str,
    pixels: str,
    paper: str,
    extra: str = "",
    name_argument: str | None = "name",
) -> Callable[..., Model]:
    """Give a constructor its public name and documentation."""
    named = f"\n        {name_argument}: name of the model." if name_argument else ""
    construct.__name__ = construct.__qualname__ = name
    construct.__module__ = module
    construct.__doc__ = _DOC.format(name=name, about=about, pixels=pixels, paper=paper, named=named, extra=extra)
    return construct


def pixels_through(module: str) -> str:
    """The sentence on preprocessing, for models that leave it to the user."""
    short = module.rpartition(".")[2]
    return f"It expects pixels prepared by ``keras.applications.{short}.preprocess_input``."


def standard(
    public_name: str,
    default_name: str,
    module: str,
    body: Callable[[Request], Body],
    *,
    about: str,
    paper: str,
    published: Published,
    size: int = 224,
    least: int = 32,
    head: Callable[[Any, Request], Any] | None = None,
    named_pools: bool = False,
    pixels: str | None = None,
    before: Callable[[str], None] | None = None,
) -> Callable[..., Model]:
    """A public function with the signature that most architectures share.

    Args:
        public_name: name of the function.
        default_name: default name of the models.
        module: ``__name__`` of the module that owns the function.
        body: from a request to the function from input to features.
        about: one line for the documentation.
        paper: where the architecture was published.
        published: weight files.
        size: usual height and width.
        least: smallest height and width.
        head: classifier; mean and Dense if not given.
        named_pools: see ``assemble``.
        pixels: sentence on the pixels expected.
        before: check made first, called with the public name.
    """
    head = head or average_head()

    def construct(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = default_name,
    ) -> Model:
        if before is not None:
            before(public_name)
        request = Request(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        request.check(public_name)
        shape = standard_input_shape(public_name, request, size, least)
        return assemble(request, body(request), shape=shape, head=head, named_pools=named_pools, published=published)

    return describe(construct, public_name, module, about=about, paper=paper, pixels=pixels or pixels_through(module))
