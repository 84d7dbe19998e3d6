"""Does memory stay flat however large a dataset folder is? Ten gigabytes of pictures, written, opened and gone through.

Pictures are noise, which no file system compresses, from a pool of POOL different ones; what the system keeps of files
in its own cache is not counted. `rss_mb_start` is before anything is written, with all modules loaded; `rss_mb_peak` is
the most that the process ever had, writing included. Every record's line and picture are read in the order of a
training (`ml.data.batches`); one picture in DECODE_EVERY is decoded. `records_per_s` is of that, one process, no
workers. Removes what it has written.
"""

import io
import random
import tempfile
import time
from pathlib import Path

from PIL import Image

from benchmarks.harness import parser, progress, report
from ml.data.batches import plan_batches
from ml.data.images import load_image
from ml.data.records import Record, read_dataset
from ml.data.writing import DatasetWriter

GIGABYTES, QUICK_GIGABYTES = 10.0, 0.2
POOL = 256
DECODE_EVERY = 50
BATCH = 64
WORDS = ["橙汁", "orange", "juice", "有机", "mjölk", "包邮", "新鲜", "tea", "绿茶", "500ml", "2-pack", "官方旗舰店"]


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--folder", type=Path, help="where to write (default: the system's temporary folder)")
    options = arguments.parse_args()
    gigabytes = QUICK_GIGABYTES if options.quick else GIGABYTES
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        figures = measure(Path(place) / "dataset", gigabytes=gigabytes)
    report("dataset", figures)


def measure(folder: Path, *, gigabytes: float) -> dict[str, float]:
    pool = _pictures(random.Random(0))
    start = _rss_mb("VmRSS")
    began = time.monotonic()
    written = _write(folder, pool, gigabytes=gigabytes)
    wrote = time.monotonic()
    progress(f"{gigabytes} GB written in {wrote - began:.0f} s; {_rss_mb('VmRSS'):.0f} MB in memory")
    data = read_dataset(folder)
    records = data.split("train", labelled=False)
    opened = time.monotonic()
    progress(f"{len(records)} records opened in {opened - wrote:.1f} s; {_rss_mb('VmRSS'):.0f} MB in memory")
    after_opening = _rss_mb("VmRSS")
    seen, half = 0, 0.0
    steps = len(records) // BATCH
    for step, batch in enumerate(plan_batches(records.title_lengths, records.shapes, BATCH, seed=1, steps=steps)):
        for draw in batch:
            record = records[draw.index]
            content = data.picture(record.images[0])
            if seen % DECODE_EVERY == 0:
                load_image(content)
            seen += 1
        if step == steps // 2:
            half = _rss_mb("VmRSS")
        if step % max(1, steps // 20) == 0:
            progress(f"{seen} of {len(records)} records; {_rss_mb('VmRSS'):.0f} MB in memory")
    seconds = time.monotonic() - opened
    return {
        "gigabytes": round(written / 1e9, 2),
        "records": len(records),
        "rss_mb_start": round(start, 1),
        "rss_mb_opened": round(after_opening, 1),
        "rss_mb_half_way": round(half, 1),
        "rss_mb_peak": round(_rss_mb("VmHWM"), 1),
        "write_s": round(wrote - began, 1),
        "open_s": round(opened - wrote, 2),
        "records_per_s": round(seen / seconds),
    }


def _pictures(rng: random.Random) -> list[bytes]:
    """JPEGs of noise, 12 to 50 kB."""
    pool = []
    for _ in range(POOL):
        width, height = rng.randint(120, 240), rng.randint(120, 240)
        image = Image.frombytes("RGB", (width, height), rng.randbytes(3 * width * height))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=75)
        pool.append(buffer.getvalue())
    return pool


def _write(folder: Path, pool: list[bytes], *, gigabytes: float) -> int:
    """The bytes of the pictures that were written."""
    rng = random.Random(1)
    sizes = [Image.open(io.BytesIO(data)).size for data in pool]
    written = number = 0
    with DatasetWriter(folder, query={"command": "benchmarks.dataset"}, shards=True) as writer:
        while written < gigabytes * 1e9:
            chosen = rng.randrange(len(pool))
            ref = writer.picture(f"{number}.jpg", pool[chosen])
            width, height = sizes[chosen]
            title = " ".join(rng.choices(WORDS, k=rng.randint(2, 12)))
            writer.listing(
                Record(
                    id=f"listing-{number}",
                    images=(ref,),
                    title=title,
                    brand="",
                    product="",
                    split="train",
                    width=width,
                    height=height,
                )
            )
            written += len(pool[chosen])
            number += 1
            if number % 50_000 == 0:
                progress(f"{written / 1e9:.1f} GB written; {_rss_mb('VmRSS'):.0f} MB in memory")
    return written


def _rss_mb(name: str) -> float:
    """VmRSS: what the process has in memory now; VmHWM: the most it ever had."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
