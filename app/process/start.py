"""``sepcam process``: does one file here and now, or begins a job of many."""

from dataclasses import replace
from pathlib import Path

from ...models.errors import SepcamError
from ...models.zoo import choose_detector
from ...pipelines.batch.files.inputs import Found, find_inputs
from ...pipelines.batch.state.settings import JobSettings
from ..options.load_networks import SizeOf, load
from ..terminal import console
from .request import JobRequest
from .single import FileRequest, run_single


def run(request: JobRequest, settings: JobSettings, size_of: SizeOf) -> int:
    """Does one file here and now, or many as a job.

    A job keeps its folder, ``.sepcam`` in the output folder. A single file that is named needs none, unless
    it is asked for with an option of jobs.

    Args:
        request: of the user.
        settings: what is done to every file; the detector may still be ``auto``.
        size_of: the input size of a detector.

    Returns:
        The exit code: 0; 1 where some files could not be processed, 2 where none; 130 after an interrupt.

    Raises:
        SepcamError: If the only file cannot be processed, or the job cannot start or continue.
    """
    if request.resume:
        from .jobs import resumed

        request, settings = resumed(request, settings)
    if not request.inputs:
        raise SepcamError("Missing argument 'INPUT': name videos, images, folders, addresses or cameras")
    found = find_inputs(request.inputs, recursive=request.recursive)
    as_job = request.resume or request.fresh or request.log_json or request.workers is not None
    as_job = as_job or request.cluster is not None or request.cares_for_workers
    if not as_job and not found.searched and len(found.inputs) + len(found.missing) == 1:
        return _run_one(request, found, settings, size_of)
    if request.follow:
        raise SepcamError("--follow reads one recording: name one file, and leave the options of jobs out")
    if found.inputs:
        settings = _resolved(settings, size_of)
    from .jobs import run_job  # with the pools of workers, which one file does without

    return run_job(request, found, settings)


def _run_one(request: JobRequest, found: Found, settings: JobSettings, size_of: SizeOf) -> int:
    if found.missing:
        raise SepcamError(found.missing[0])
    for line in found.left_out:
        console.note(line)
    annotations = settings.coco_annotations
    single = FileRequest(
        request.out,
        settings.saves,
        settings.drawing,
        request.overwrite,
        settings.start_s,
        settings.frames,
        coco_annotations=None if annotations is None else Path(annotations),
        stream=settings.stream,
        deinterlace=settings.deinterlace,
        follow=request.follow,
        watching=settings.watching,
        hiding=settings.hiding,
        encoder=settings.encoder,
    )
    return run_single(
        found.inputs[0], single, lambda: load(settings.analysis, size_of, threads=request.threads)
    )


def _resolved(settings: JobSettings, size_of: SizeOf) -> JobSettings:
    """With the input size that its detector takes."""
    options = settings.analysis
    if options.input_size is None:
        name = choose_detector(options.classes) if options.detector == "auto" else options.detector
        options = replace(options, input_size=size_of(name))
    return replace(settings, analysis=options)
