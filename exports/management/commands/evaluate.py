"""`manage.py evaluate FILE`: score a file of predictions against the truth of simulated towns."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

import embedded
from common.files import UnreadableFileError, read_text
from common.time import utc_now
from exports import conf
from exports.benchmark import contest
from exports.benchmark.baseline import QUERY, baseline
from exports.benchmark.leaderboard import OPEN, standings, write_leaderboard
from exports.benchmark.score import KEYS, BadPredictionError, read_prediction, results
from exports.benchmark.submissions import RefusedError, read_log, submit
from exports.benchmark.truth import PLAN, NoTruthError, read_truth
from exports.engine.run import run_query


class Command(BaseCommand):
    """Print scores as JSON; with `--write-baseline` write the baseline's own predictions instead."""

    help = (
        "Score predictions (CSV: day,zip,share) made from a simulated town's open release, or those of a contest "
        "(CSV: town,day,zip,share); docs/benchmark.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the town, or the contest."""
        parser.add_argument("file", type=Path)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--truth", type=Path, help="folder that simulate wrote; default: the home's newest town")
        which.add_argument("--contest", type=Path, help="folder that benchmark wrote: score its training towns")
        parser.add_argument("--team", help="with --contest: score its test towns; counts as a submission of the team")
        parser.add_argument("--write-baseline", action="store_true", help="write FILE as an example of a submission")

    def handle(self, *args: Any, **options: Any) -> None:
        """Score the file, or write the baseline."""
        if options["team"] is not None and options["contest"] is None:
            raise CommandError("--team requires --contest.")
        try:
            said = self._of_contest(options) if options["contest"] else self._of_town(options)
        except (NoTruthError, contest.NoContestError, RefusedError, UnreadableFileError) as error:
            raise CommandError(str(error)) from error
        except (BadPredictionError, OSError, ValueError) as error:
            raise CommandError(f"{options['file'].name}: {error}") from error
        self.stdout.write(json.dumps(said, indent=2))

    def _of_contest(self, options: dict[str, Any]) -> dict[str, Any]:
        folder: Path = options["contest"]
        learn = options["team"] is None
        towns = contest.towns_to_learn(folder) if learn else contest.towns_held_back(folder)
        if options["write_baseline"]:
            return _written(contest.baseline_file(towns), options["file"])
        text = read_text(options["file"])

        def score() -> dict[str, Any]:
            return contest.scores_of(contest.read_shares(_read(text, "town"), towns), towns)

        if learn:
            return score()
        kept = folder / contest.KEPT
        said = submit(folder=kept, team=options["team"], content=text.encode(), now=utc_now(), score=score)
        usual = contest.scores_of({town.name: contest.baseline_shares(town) for town in towns}, towns)
        write_leaderboard(folder / OPEN, standings(read_log(kept), usual))
        return said

    def _of_town(self, options: dict[str, Any]) -> dict[str, Any]:
        truth = read_truth(options["truth"] or _newest_town())
        released = run_query(sql=QUERY.format(database=conf.database())).result.table.to_pandas()
        usual = baseline(released, truth.index)
        if options["write_baseline"]:
            return _written(usual.rename("share").reset_index(), options["file"])
        given = read_prediction(_read(read_text(options["file"])), truth)
        return dict(results(given, usual, truth))


def _read(text: str, *more: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype=dict.fromkeys((*KEYS, *more), str))


def _written(rows: pd.DataFrame, path: Path) -> dict[str, Any]:
    rows.to_csv(path, index=False)
    return {"lines": len(rows), "file": str(path)}


def _newest_town() -> Path:
    if not settings.EMBEDDED:
        raise CommandError("Give --truth: without a home there is no default folder.")
    plans = (embedded.home() / "simulation").glob(f"town-*/{PLAN}")
    newest = max(plans, key=lambda plan: plan.stat().st_mtime, default=None)
    if newest is None:
        raise CommandError("No town was simulated here. Run simulate --release first, or give --truth.")
    return newest.parent
