from django.urls import path

from evaluation.views import (
    alignments,
    labelling,
    models,
    run_start,
    runs,
    statistics,
    statistics_parts,
    training_compare,
    training_run,
    training_start,
)

app_name = "evaluation"
urlpatterns = [
    path("", run_start.predict_page, name="predict"),
    path("runs/<str:run_id>/", runs.run_page, name="run"),
    path("runs/<str:run_id>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<str:run_id>/judgments/", runs.judge, name="judge"),
    path("products/", runs.product_options, name="product_options"),
    path("labelling/", labelling.labelling_page, name="labelling"),
    path("statistics/", statistics.statistics_page, name="statistics"),
    path("statistics/judgments/", statistics.statistics_judgments, name="statistics_judgments"),
    path("statistics/export/<str:format>/", statistics.statistics_export, name="statistics_export"),
    path("statistics/names/<str:dimension>/", statistics.statistics_names, name="statistics_names"),
    path("statistics/curves/", statistics_parts.statistics_curves, name="statistics_curves"),
    path("statistics/threshold/", statistics_parts.statistics_threshold, name="statistics_threshold"),
    path("statistics/pairs/", statistics_parts.statistics_pairs, name="statistics_pairs"),
    path("statistics/speed/", statistics_parts.statistics_speed, name="statistics_speed"),
    path("training/", training_start.training_page, name="training"),
    path("training/start/", training_start.training_start, name="training_start"),
    path("training/compare/", training_compare.training_compare, name="training_compare"),
    path("training/<str:run_id>/", training_run.training_run, name="training_run"),
    path("training/<str:run_id>/progress/", training_run.training_progress, name="training_progress"),
    path("training/<str:run_id>/cancel/", training_run.training_cancel, name="training_cancel"),
    path("training/<str:run_id>/resume/", training_run.training_resume, name="training_resume"),
    path("models/", models.models_page, name="models"),
    path("models/<str:model_id>/activate/", models.model_activate, name="model_activate"),
    path("models/<str:model_id>/download/", models.model_download, name="model_download"),
    path("models/<str:model_id>/words/", alignments.alignment_ask, name="alignment_ask"),
    path("models/<str:model_id>/words/<str:listing_id>/", alignments.alignment, name="alignment"),
]
