from django.urls import path, re_path

from crawler import api, views

app_name = "crawler"
urlpatterns = [
    path("api/goodslist", api.goodslist, name="goodslist"),
    path("api/goodslist/crawls", api.crawls, name="crawls"),
    path("api/goodslist/crawls/<str:crawl_id>", api.crawl, name="crawl"),
    re_path(r"^images/(?P<sha256>[0-9a-f]{64})\.jpg$", views.image, name="image"),
]
