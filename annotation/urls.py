from django.urls import path

from annotation import my_work, suggestion_views, views
from annotation.feedback import feedback

app_name = "annotation"
urlpatterns = [
    path("", views.search_page, name="search"),
    path("crawls/<str:crawl_id>/", views.crawl_progress, name="crawl_progress"),
    path("feedback/", feedback, name="feedback"),
    path("keywords/", suggestion_views.keywords, name="keywords"),
    path("listings/<str:listing_id>/picture/", views.picture, name="picture"),
    path("products/", views.product_options, name="product_options"),
    path("submit/", views.submit, name="submit"),
    path("suggestions/", suggestion_views.switch, name="suggestions"),
    path("suggestions/status/", suggestion_views.status, name="suggestion_status"),
    path("work/", my_work.my_work, name="work"),
]
