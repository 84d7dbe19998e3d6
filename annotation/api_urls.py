from django.urls import path

from annotation import api, task_api

app_name = "annotation_api"
urlpatterns = [
    path("brands", api.brands, name="brands"),
    path("products", api.products, name="products"),
    path("products/<str:product_id>", api.product, name="product"),
    path("labels", api.labels, name="labels"),
    path("labels/<str:label_id>", api.label, name="label"),
    path("labels/<str:label_id>/review", api.label_review, name="label_review"),
    path("tasks", task_api.tasks, name="tasks"),
    path("tasks/<str:task_id>", task_api.task, name="task"),
]
