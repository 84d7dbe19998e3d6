"""Curves in TensorBoard and Visdom, where they are installed: neither is needed."""

import logging
import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

VISDOM_PORT = 8097
log = logging.getLogger(__name__)


class Plots:
    """Draws named values against steps: TensorBoard into WORK/tensorboard; Visdom on the server VISDOM_URL names."""

    def __init__(self, work: Path) -> None:
        self.board = self.visdom = None
        if find_spec("tensorboard") or find_spec("tensorboardX"):
            self.board = _summary_writer(work / "tensorboard")
        url = os.environ.get("VISDOM_URL", "")
        if url and find_spec("visdom"):
            from visdom import Visdom

            parts = urlsplit(url)
            server = f"{parts.scheme}://{parts.hostname}"
            self.visdom = Visdom(server=server, port=parts.port or VISDOM_PORT, env=work.name)
            if not self.visdom.check_connection():
                log.warning("VISDOM_URL=%s: no server answers there, so no curves are drawn", url)
                self.visdom = None
        elif url:
            log.warning("VISDOM_URL is set, but the package visdom is not installed: no curves are drawn there")

    def draw(self, group: str, values: dict[str, float], *, step: int) -> None:
        for name, value in values.items():
            if self.board is not None:
                self.board.add_scalar(f"{group}/{name}", value, step)
            if self.visdom is not None:
                self.visdom.line(
                    [value], [step], win=group, name=name, update="append", opts={"title": group, "showlegend": True}
                )

    def close(self) -> None:
        if self.board is not None:
            self.board.close()


def _summary_writer(folder: Path) -> Any:
    """Of whichever package is there."""
    name = "torch.utils.tensorboard" if find_spec("tensorboard") else "tensorboardX"
    return import_module(name).SummaryWriter(str(folder))
