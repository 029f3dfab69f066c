//! What all lists have in common: pages, `q`, `sort`, and what is wrong with them.

use domain::testing::{add_project, add_user};

use crate::server::{Server, both};

const LISTS: [&str; 5] =
    ["/users", "/projects", "/repositories", "/projects/library/repositories", "/robots"];

async fn filled(server: &Server) {
    for name in ["alice", "bob", "a_b"] {
        add_user(&server.domain, name).await;
        add_project(&server.domain, name, name == "bob").await;
    }
}

async fn names(server: &Server, path: &str, field: &str) -> String {
    let answer = server.get("admin", &format!("/api/v2.0{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    let items = answer.json();
    let names = items.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap());
    names.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn lists_find_what_is_asked_for_however_it_is_encoded() {
    for server in both().await {
        filled(&server).await;
        for (query, expected) in [
            ("q=username%3Dalice", "alice"),
            ("q=username=alice", "alice"),
            ("q=username%253Dalice", "alice"),
            ("q=Username%3D~A&sort=-username", "alice admin a_b"),
            ("q=username%3D%7Bbob%20alice%7D", "alice bob"),
            ("q=username%253D%257Bbob%2520alice%257D", "alice bob"),
            ("q=user_id%3D%5B~1%5D", "admin"),
            ("q=password%3D~a&page_size=1&page=2", "admin"),
            ("q=username%3D%27%20OR%201%3D1%20--", ""),
            ("q=username%3D~%25", ""),
            ("q=username%3D%EF%BC%A1lice", ""),
            ("sort=-UserID,nothing,1%3BDROP&page=0&page_size=2", "a_b bob"),
        ] {
            assert_eq!(
                names(&server, &format!("/users?{query}"), "username").await,
                expected,
                "{query}"
            );
        }
        for (query, expected) in [
            ("name=L", "alice library"),
            ("public=false", "a_b alice"),
            ("q=public%3Dtrue&sort=-name", "library bob"),
            ("q=name%3D~_&owner=admin", "a_b"),
            ("q=project_id%3D1", "library"),
        ] {
            assert_eq!(
                names(&server, &format!("/projects?{query}"), "name").await,
                expected,
                "{query}"
            );
        }
        assert_eq!(names(&server, "//projects?q=name%3Dbob", "name").await, "bob");
    }
}

#[tokio::test]
async fn what_no_list_can_mean_is_refused() {
    for server in both().await {
        let long = format!("q=name%3D{}", "a".repeat(9000));
        for path in LISTS {
            for (query, status) in [
                ("page=-1", 422),
                ("page=x", 422),
                ("page_size=0", 422),
                ("page_size=101", 422),
                ("page_size=-5", 422),
                ("page=99999999999999999999", 422),
                ("q=name", 400),
                ("q=name%3D", 400),
                ("q=%3Dx", 400),
                ("q=name%3D%5B1", 400),
                ("q=name%3D%7Ba", 400),
                ("q=creation_time%3Dyesterday", 400),
                ("q=a%3Db;c=d", 400),
                (long.as_str(), 400),
                ("page_size=100&page=92233720368547758", 200),
                ("q=nothing%3D1&sort=nothing", 200),
            ] {
                let answer = server.get("admin", &format!("/api/v2.0{path}?{query}")).await;
                assert_eq!(answer.status, status, "{path}?{query}: {}", answer.body);
                if status != 200 {
                    answer.code();
                }
            }
        }
    }
}
