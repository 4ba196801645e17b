"""The extension module. Everything in it is wrapped by the modules beside it."""

from typing import Any, Callable, Dict, List, Optional, Tuple

__version__: str

def names() -> List[str]: ...
def entry(kind: int) -> str: ...
def call(
    kind: int, inputs: Tuple[Any, ...], parameters: Optional[Dict[str, Any]], masks: str, threads: int
) -> Any: ...
def imread(path: str, page: Optional[int], alpha: bool) -> Any: ...
def imwrite(path: str, array: Any, quality: int, small: bool) -> None: ...
def builtin(name: str) -> Any: ...
def preview_png(array: Any, most: int) -> bytes: ...
def pixels_at(array: Any) -> int: ...
def train_net(
    net: str,
    data: str,
    out: str,
    settings: str,
    resume: bool,
    progress: Optional[Callable[[int, int], object]],
    on_epoch: Optional[Callable[[str], object]],
) -> str: ...
def train_linear(
    pipeline: List[Any],
    data: str,
    out: str,
    method: str,
    c: Optional[float],
    max_iterations: Optional[int],
    tolerance: Optional[float],
    seed: Optional[int],
    threads: int,
    progress: Optional[Callable[[int, int], object]],
) -> str: ...
def compare(
    pipelines: List[Any],
    data: str,
    limit: Optional[int],
    repeats: int,
    progress: Optional[Callable[[int, int], object]],
) -> str: ...

class PipelineCore:
    text: str
    name: str
    base: Optional[str]
    connections: List[Tuple[str, str, List[str]]]
    accepted: List[str]

    @staticmethod
    def parse(text: str, name: str, base: Optional[str]) -> PipelineCore: ...
    @staticmethod
    def load(path: str) -> PipelineCore: ...
    def explain(self, ty: str, width: int, height: int, threads: int) -> str: ...
    def run(
        self, picture: Any, save: Any, threads: int, masks: str
    ) -> Tuple[List[Tuple[str, str, List[str], List[Any]]], Any]: ...
