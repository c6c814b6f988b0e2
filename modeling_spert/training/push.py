"""The pushes of a training run: checkpoints in the background, the best model at the end. None of them stops it."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.utils import disable_progress_bars
from transformers.utils import logging

from modeling_spert.hub.client import PushError, create_repository
from modeling_spert.hub.push import push_model_folder

logger = logging.get_logger("modeling_spert.training")


class RunPush:
    """Pushes of one run to one repository. A push that fails is reported; training continues.

    Args:
        repo_id: `org/name`.
        private: Create it private.
    """

    def __init__(self, repo_id: str, private: bool):
        self.repo_id, self.private = repo_id, private
        self._worker: threading.Thread | None = None
        disable_progress_bars()  # they would tear the training's

    def prepare(self) -> None:
        """Create the repository before the training, so that a wrong token is noticed now and not after hours."""
        try:
            create_repository(HfApi(), self.repo_id, private=self.private, tries=2)
        except PushError as error:
            logger.warning(f"{error}. Training goes on; the push is tried again at its end")

    def push_checkpoint(self, folder: Path, step: int) -> bool:
        """Push a checkpoint in the background; False if the one before is not finished: this one is then left out."""
        if self._worker is not None and self._worker.is_alive():
            return False
        # Hard links: the next checkpoint replaces this one while it is being read.
        staged = folder.with_name(".push")
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(folder, staged, copy_function=_link_or_copy)
        self._worker = threading.Thread(target=self._push_staged, args=(staged, step), daemon=True)
        self._worker.start()
        return True

    def push_result(self, folder: Path, name: str) -> str | None:
        """Push the run's result and tag it.

        Args:
            folder: The model folder.
            name: Of the run, for the tag.

        Returns:
            The commit's address; None if it failed: the error was reported, with the command to push later.
        """
        if self._worker is not None:
            self._worker.join()
        tag = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('.-') or 'run'}-{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            return push_model_folder(folder, self.repo_id, private=self.private, tag=tag).commit_url
        except Exception as error:  # the training is done and saved: nothing that happens here may undo that
            logger.error(f"{error}" if isinstance(error, PushError) else f"{type(error).__name__}: {error}")
            return None

    def _push_staged(self, staged: Path, step: int) -> None:
        try:
            push_model_folder(staged, self.repo_id, private=self.private, message=f"Checkpoint of step {step}")
        except Exception as error:
            reason = str(error).splitlines()[0]
            logger.warning(f"The checkpoint of step {step} was not pushed: {reason}. Training goes on")
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)
