from django.urls import path

from annotation import views
from annotation.feedback import feedback

app_name = "annotation"
urlpatterns = [
    path("", views.search_page, name="search"),
    path("claim/", views.claim, name="claim"),
    path("crawls/<str:crawl_id>/", views.crawl_progress, name="crawl_progress"),
    path("feedback/", feedback, name="feedback"),
    path("listings/<str:listing_id>/picture/", views.picture, name="picture"),
    path("products/", views.product_options, name="product_options"),
    path("submissions/<str:submission_id>/", views.taken_back, name="taken_back"),
    path("submissions/<str:submission_id>/undo/", views.undo, name="undo"),
    path("submit/", views.submit, name="submit"),
]
