from django.urls import path

from evaluation import api

app_name = "evaluation_api"
urlpatterns = [
    path("predictions", api.predictions, name="predictions"),
    path("predictions/jobs/<str:run_id>", api.job, name="job"),
    path("predictions/<str:prediction_id>", api.prediction, name="prediction"),
    path("judgments", api.judgments, name="judgments"),
    path("statistics", api.statistics_data, name="statistics"),
]
