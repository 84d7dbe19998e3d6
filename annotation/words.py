"""What annotators said of listings: the word of each for a product and a listing, from their submissions.

The word of an annotator is the last one that he gave by hand: a tick ("match"), a refusal ("no match") or "unsure".
Where he gave none, a listing that he was shown and did not tick counts as "shown", which says "no match" – but only
where his submission shows that he looked: something in it is ticked or marked, or it says that none of them shows the
product. Whoever gave a search up for another reason said nothing of its listings. A listing that is only shown again
after it was ticked is no second thought, and what was taken back was never said.
"""

from collections.abc import Collection
from typing import Any

from annotation.models import SkipReason, Submission
from mmproject.mongo.collections import collection

MATCH, NO_MATCH, UNSURE, SHOWN = "match", "no match", "unsure", "shown"
_MEANS = {MATCH: MATCH, NO_MATCH: NO_MATCH, SHOWN: NO_MATCH}
_BY_HAND = {"matched": MATCH, "refused": NO_MATCH, "unsure": UNSURE}


def meaning(word: str) -> str:
    """MATCH or NO_MATCH, or "" for a word that says neither."""
    return _MEANS.get(word, "")


def words_of_product(product_id: str, listing_ids: Collection[str]) -> dict[str, list[dict[str, str]]]:
    """For each of these listings that somebody said something of: each annotator's word for this product.

    Each is {"annotator": name, "said": word, "submission": id}; the oldest comes first. One query.
    """
    ids = list(listing_ids)
    shown = {"product_id": product_id, "shown_listing_ids": {"$in": ids}}
    found = collection(Submission).aggregate([*SAYING, {"$match": shown}, *_words({"$in": ["$shown", ids]}), *_BY_ITEM])
    return {
        item["_id"]["listing"]: [
            {"annotator": one["name"], "said": one["word"], "submission": one["id"]}
            for one in sorted(item["words"], key=lambda one: (one["at"], one["id"]))
        ]
        for item in found
    }


def items_of_several() -> Any:
    """Every product and listing of which at least two annotators said something, as MongoDB counts them, one by one.

    Each is {"_id": {"product", "listing"}, "product_name", "words": [{"annotator", "name", "word", …}, …]}.
    """
    several = {"$match": {"words.1": {"$exists": True}}}
    return collection(Submission).aggregate([*SAYING, *_words(None), *_BY_ITEM, several], allowDiskUse=True)


def _list(name: str) -> dict[str, Any]:
    return {"$ifNull": [f"${name}_listing_ids", []]}  # submissions older than the field lack it


# The submissions that count, and of each whether it shows that somebody looked.
SAYING: list[dict[str, Any]] = [
    {
        "$match": {
            "cancelled_at": None,
            "$or": [
                *({f"{name}_listing_ids.0": {"$exists": True}} for name in _BY_HAND),
                {"skip_reason": str(SkipReason.NONE)},
            ],
        }
    }
]


def _words(only: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One document for each listing of a submission, with the word that it gives of it."""
    branches = [{"case": {"$in": ["$shown", _list(name)]}, "then": word} for name, word in _BY_HAND.items()]
    wanted = [{"$match": {"$expr": only}}] if only else []
    return [
        {"$addFields": {"shown": "$shown_listing_ids"}},
        {"$unwind": "$shown"},
        *wanted,
        {
            "$project": {
                "listing": "$shown",
                "product_id": 1,
                "product_name": 1,
                "annotator_id": 1,
                "word": {
                    # Compared in this order: by hand before merely shown, then the latest.
                    "by_hand": {"$in": ["$shown", {"$concatArrays": [_list(name) for name in _BY_HAND]}]},
                    "at": "$created_at",
                    "id": "$id",
                    "word": {"$switch": {"branches": branches, "default": SHOWN}},
                    "name": "$annotator_name",
                    "annotator": "$annotator_id",
                },
            }
        },
    ]


_BY_ITEM: list[dict[str, Any]] = [
    {
        "$group": {
            "_id": {"product": "$product_id", "listing": "$listing", "annotator": "$annotator_id"},
            "product_name": {"$last": "$product_name"},
            "word": {"$max": "$word"},
        }
    },
    {
        "$group": {
            "_id": {"product": "$_id.product", "listing": "$_id.listing"},
            "product_name": {"$last": "$product_name"},
            "words": {"$push": "$word"},
        }
    },
]
