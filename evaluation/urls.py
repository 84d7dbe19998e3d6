from django.urls import path

from evaluation.views import runs, statistics, training

app_name = "evaluation"
urlpatterns = [
    path("", runs.predict_page, name="predict"),
    path("runs/<str:run_id>/", runs.run_page, name="run"),
    path("runs/<str:run_id>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<str:run_id>/judgments/", runs.judge, name="judge"),
    path("products/", runs.product_options, name="product_options"),
    path("statistics/", statistics.statistics_page, name="statistics"),
    path("training/", training.training_page, name="training"),
    path("training/start/", training.training_start, name="training_start"),
    path("training/<str:run_id>/", training.training_run, name="training_run"),
    path("training/<str:run_id>/progress/", training.training_progress, name="training_progress"),
    path("training/<str:run_id>/cancel/", training.training_cancel, name="training_cancel"),
    path("models/", training.models_page, name="models"),
    path("models/<str:model_id>/activate/", training.model_activate, name="model_activate"),
]
