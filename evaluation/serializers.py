"""What the evaluation API is asked and what it answers."""

from typing import Any

from django.core.validators import validate_slug
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotation.serializers import MAX_PAGE_SIZE, PAGE_SIZE, Exact, picture_path
from crawler.models import WorkState
from crawler.uploads import MAX_TITLE
from evaluation.models import Judgment, Prediction, Verdict
from evaluation.selectors.statistics_filters import ABSENT, filters_from
from evaluation.services.asking import MAX_LISTINGS
from mmproject.ids import ID_LENGTH

MAX_WAIT_S = 25  # below the patience of browsers and proxies; a thread of the web server waits as long
MAX_UPLOADS = 50
MAX_JUDGMENTS = 500


class _Id(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(**({"max_length": ID_LENGTH} | options))


class PredictionsAsk(serializers.Serializer):
    """Either `listings`, or `picture` and `title` (multipart/form-data), each as often as there are pictures."""

    listings = serializers.ListField(
        child=_Id(), required=False, max_length=MAX_LISTINGS, help_text="Ids of listings that are stored here"
    )
    picture = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        max_length=MAX_UPLOADS,
        help_text="JPEG, PNG or WebP, up to 8 MB each",
    )
    title = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=MAX_TITLE),
        required=False,
        max_length=MAX_UPLOADS,
        help_text="One for each picture, in their order; may be empty",
    )
    model = Exact(max_length=ID_LENGTH, help_text="Id of the model version; the one in use when left out")
    wait = serializers.FloatField(
        default=0, min_value=0, max_value=MAX_WAIT_S, help_text="Seconds to wait for the answers before answering 202"
    )
    job = Exact(
        max_length=ID_LENGTH,
        validators=[validate_slug],
        help_text="Chosen by you, one for each question: asked again, it starts nothing new",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        pictures, titles = attrs.get("picture", []), attrs.get("title", [])
        if bool(attrs.get("listings")) == bool(pictures):
            raise serializers.ValidationError({"listings": [_("Send either listings or pictures.")]})
        if len(titles) != len(pictures):
            message = _("There are %(titles)d titles for %(pictures)d pictures: send one for each.")
            values = {"titles": len(titles), "pictures": len(pictures)}
            raise serializers.ValidationError({"title": [message % values]})
        return attrs


class Candidate(serializers.Serializer):
    product = serializers.CharField()
    product_name = serializers.CharField()
    confidence = serializers.FloatField()


class Neighbour(serializers.Serializer):
    product = serializers.CharField()
    product_name = serializers.CharField()
    picture = serializers.CharField(allow_null=True, help_text="Path of the catalogue picture on this site")
    similarity = serializers.FloatField()


class PredictionData(serializers.ModelSerializer):
    job = serializers.CharField(source="run_id")
    model = serializers.CharField(source="model_id")
    listing = serializers.CharField(source="listing_id")
    image = serializers.SerializerMethodField(help_text="Path of the listing's picture on this site")
    state = serializers.ChoiceField(choices=WorkState.choices, help_text="pending, then done or failed")
    brand = serializers.CharField(source="brand_id")
    product = serializers.CharField(source="product_id", help_text="The most likely one, also of a rejected listing")
    rejected = serializers.BooleanField(help_text="The model says: not in our catalogue")
    top5 = serializers.SerializerMethodField()
    nearest = serializers.SerializerMethodField(help_text="The catalogue pictures most like this one")

    class Meta:
        model = Prediction
        fields = (
            *(
                "id",
                "job",
                "model",
                "model_name",
                "listing",
                "source",
                "title",
                "url",
                "price",
                "currency",
                "shop_name",
            ),
            *("image", "state", "error", "brand", "brand_name", "brand_confidence", "product", "product_name"),
            *("product_confidence", "rejected", "by", "top5", "nearest", "trained_on", "created_at", "predicted_at"),
        )

    def get_image(self, prediction: Prediction) -> str | None:
        return picture_path(prediction.image_sha256)

    @extend_schema_field(Candidate(many=True))
    def get_top5(self, prediction: Prediction) -> list[dict[str, Any]]:
        return [dict(zip(("product", "product_name", "confidence"), one, strict=True)) for one in prediction.top5]

    @extend_schema_field(Neighbour(many=True))
    def get_nearest(self, prediction: Prediction) -> list[dict[str, Any]]:
        return [
            {"product": product, "product_name": name, "picture": picture_path(sha), "similarity": similarity}
            for product, name, sha, similarity in prediction.nearest
        ]


class JobState(serializers.Serializer):
    job = serializers.CharField()
    state = serializers.ChoiceField(choices=["pending", "done", "failed"])
    poll = serializers.CharField(help_text="Ask here until the state is done or failed")
    model = serializers.CharField()
    model_name = serializers.CharField()
    answered = serializers.IntegerField(help_text="Predictions that are done or failed")
    total = serializers.IntegerField()
    error = serializers.CharField(help_text="Why the whole job failed; what failed for one listing is said there")
    predictions = PredictionData(many=True, help_text="In the order in which they were asked")


class PredictionQuery(serializers.Serializer):
    job = Exact(help_text="Id of the job")
    model = Exact(help_text="Id of the model version")
    listing = Exact(help_text="Id of the listing")
    product = Exact(help_text="Id of the predicted product")
    state = serializers.ChoiceField(choices=WorkState.choices, default=None, allow_null=True)
    rejected = serializers.BooleanField(default=None, allow_null=True, help_text="All when left out")
    created_after = serializers.DateTimeField(default=None, allow_null=True, help_text="At this moment or later")
    created_before = serializers.DateTimeField(default=None, allow_null=True, help_text="Before this moment")
    cursor = Exact(help_text="`next_cursor` of the page before")
    page_size = serializers.IntegerField(default=PAGE_SIZE, min_value=1, max_value=MAX_PAGE_SIZE)


class PredictionPage(serializers.Serializer):
    next_cursor = serializers.CharField(help_text="`cursor` of the next page; empty on the last")
    predictions = PredictionData(many=True)


class JudgmentData(serializers.ModelSerializer):
    prediction = serializers.CharField(source="prediction_id")
    job = serializers.CharField(source="run_id")
    model = serializers.CharField(source="model_id")
    listing = serializers.CharField(source="listing_id")
    image = serializers.SerializerMethodField(help_text="Path of the listing's picture on this site")
    predicted_brand = serializers.CharField(source="predicted_brand_id")
    predicted_product = serializers.CharField(source="predicted_product_id")
    rejected = serializers.BooleanField(help_text="The model said: not in our catalogue")
    right_product = serializers.CharField(
        source="right_product_id", help_text="With `wrong`; empty: it is not in our catalogue"
    )
    right_brand = serializers.CharField(source="right_brand_id")
    evaluator = serializers.CharField(source="evaluator_name")
    label = serializers.CharField(source="label_id", help_text="Id of the label that was made of it for review")

    class Meta:
        model = Judgment
        fields = (
            *(
                "id",
                "prediction",
                "job",
                "model",
                "model_name",
                "listing",
                "source",
                "keyword",
                "title",
                "url",
                "price",
            ),
            *("currency", "shop_name", "image", "trained_on", "predicted_brand", "predicted_brand_name"),
            *("predicted_product", "predicted_product_name", "product_confidence", "rejected", "verdict"),
            *("right_product", "right_product_name", "right_brand", "right_brand_name", "evaluator", "judged_at"),
            "label",
        )

    def get_image(self, judgment: Judgment) -> str | None:
        return picture_path(judgment.image_sha256)


class JudgmentQuery(serializers.Serializer):
    job = Exact(help_text="Id of the job or test")
    model = Exact(help_text="Id of the model version")
    listing = Exact(help_text="Id of the listing")
    prediction = Exact(help_text="Id of the prediction")
    verdict = serializers.ChoiceField(choices=Verdict.choices, default=None, allow_null=True)
    product = Exact(help_text="Id of the predicted product")
    right_product = Exact(help_text="Id of the product that was named as right")
    evaluator = Exact(help_text="User name")
    judged_after = serializers.DateTimeField(default=None, allow_null=True, help_text="At this moment or later")
    judged_before = serializers.DateTimeField(default=None, allow_null=True, help_text="Before this moment")
    cursor = Exact(help_text="`next_cursor` of the page before")
    page_size = serializers.IntegerField(default=PAGE_SIZE, min_value=1, max_value=MAX_PAGE_SIZE)


class JudgmentPage(serializers.Serializer):
    next_cursor = serializers.CharField(help_text="`cursor` of the next page; empty on the last")
    judgments = JudgmentData(many=True)


class NewJudgment(serializers.Serializer):
    prediction = _Id(help_text="Id of a prediction that is done")
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    right_product = _Id(default="", allow_blank=True, help_text="With `wrong`: id of the product that it shows")
    absent = serializers.BooleanField(
        default=False, help_text="With `wrong`, instead of `right_product`: it is not in our catalogue"
    )


class JudgmentsCreate(serializers.Serializer):
    judgments = serializers.ListField(
        child=NewJudgment(), allow_empty=False, max_length=MAX_JUDGMENTS, help_text="All are saved, or none"
    )


class JudgmentsSaved(serializers.Serializer):
    judgments = JudgmentData(many=True)


class StatisticsQuery(serializers.Serializer):
    """As in the address of the statistics page; a value is an id or a name."""

    model = Exact(help_text="The model version; all when left out")
    product = Exact(help_text="The predicted product")
    brand = Exact(help_text="The predicted brand")
    shop = Exact()
    source = Exact()
    evaluator = Exact()
    right = Exact(help_text=f"The right product where a judgment said wrong; `{ABSENT}`: none of the catalogue")
    verdict = Exact(help_text="right, wrong or unsure")
    confidence = Exact(help_text="Per cent, such as 80-90; 100 belongs to it only as its end")
    refused = Exact(help_text="yes or no: whether the model said “not in our catalogue”")
    since = Exact(help_text="The first day, such as 2026-03-31")
    until = Exact(help_text="The last day")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        filters, problems = filters_from(attrs)
        if problems:
            raise serializers.ValidationError(problems)
        return {"filters": filters}


class Share(serializers.Serializer):
    right = serializers.IntegerField()
    of = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True, help_text="null where nothing was judged")
    low = serializers.FloatField(allow_null=True, help_text="Of Wilson's 95 % interval, in per cent")
    high = serializers.FloatField(allow_null=True)


class Figures(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    judged = serializers.IntegerField(help_text="Right, wrong and unsure")
    unsure = serializers.IntegerField()
    product = Share()
    brand = Share()


class MixUpData(serializers.Serializer):
    predicted = serializers.CharField()
    right = serializers.CharField(help_text="Empty: not in our catalogue")
    count = serializers.IntegerField()


class StatisticsData(serializers.Serializer):
    fresh = Figures(help_text="Judgments on pictures that the model had not seen")
    trained_on = Figures(help_text="Judgments on pictures of its own training")
    by_model = Figures(many=True)
    by_product = Figures(many=True, help_text="By the predicted product, those judged most first")
    by_brand = Figures(many=True)
    by_shop = Figures(many=True)
    by_source = Figures(many=True)
    by_evaluator = Figures(many=True)
    by_confidence = Figures(many=True, help_text="By bands of per cent")
    by_day = Figures(many=True)
    mix_ups = MixUpData(many=True, help_text="Which product was taken for which, the most frequent first")
