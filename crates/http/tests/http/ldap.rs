//! People of a directory over HTTP.

use domain::testing::{
    add_project, add_user,
    outside::{PASSWORD as LDAP_PASSWORD, Slapd},
};
use serde_json::{Value, json};

use crate::server::{Server, basic, both, sqlite};

async fn sign_in_by(server: &Server, slapd: &Slapd) {
    let settings = json!({
        "auth_mode": "ldap_auth", "ldap_url": format!("ldap://127.0.0.1:{}", slapd.port),
        "ldap_search_dn": "cn=search,dc=example,dc=org", "ldap_search_password": LDAP_PASSWORD,
        "ldap_base_dn": "dc=example,dc=org", "ldap_filter": "objectClass=inetOrgPerson",
        "ldap_uid": "uid", "ldap_group_base_dn": "ou=groups,dc=example,dc=org",
        "ldap_group_search_filter": "objectClass=groupOfNames", "ldap_group_attribute_name": "cn",
        "ldap_group_admin_dn": "cn=admins,ou=groups,dc=example,dc=org",
    });
    let path = "/api/v2.0/configurations";
    let answer = server.ask("admin", "PUT", path, &settings.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn ping(server: &Server, body: &Value) -> Value {
    let answer = server.ask("admin", "POST", "/api/v2.0/ldap/ping", &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn people_of_a_directory_sign_in_everywhere() {
    let slapd = Slapd::start();
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        sign_in_by(&server, &slapd).await;
        let bob = basic("bob", LDAP_PASSWORD);
        let current = server.get_as(&bob, "/api/v2.0/users/current").await.json();
        assert_eq!(
            (&current["username"], &current["sysadmin_flag"]),
            (&json!("bob"), &json!(false))
        );
        let token = "/service/token?service=harbor-registry&scope=repository:p/x:pull";
        assert_eq!(server.get_as(&bob, token).await.status, 200);
        assert_eq!(server.get_as(&bob, "/v2/").await.status, 200);
        for wrong in [basic("bob", "wrong"), basic("*", LDAP_PASSWORD), basic("bob)(uid=*", "x")] {
            assert_eq!(server.get_as(&wrong, token).await.status, 401);
            assert_eq!(server.get_as(&wrong, "/v2/").await.status, 401);
            assert_eq!(server.get_as(&wrong, "/api/v2.0/users/current").await.status, 401);
        }
        let alice = basic("alice", LDAP_PASSWORD);
        let current = server.get_as(&alice, "/api/v2.0/users/current").await.json();
        assert_eq!(current["admin_role_in_auth"], true);
        assert_eq!(server.get_as(&alice, "/api/v2.0/users").await.status, 200);
        assert_eq!(server.get_as(&bob, "/api/v2.0/users").await.status, 403);
        // Rights by a group that signed in with them.
        assert_eq!(server.get_as(&bob, "/api/v2.0/projects/p").await.status, 403);
        let dev = json!({"role_id": 2, "member_group": {
            "ldap_group_dn": "cn=dev,ou=groups,dc=example,dc=org", "group_type": 1,
        }});
        let path = "/api/v2.0/projects/p/members";
        assert_eq!(server.ask("admin", "POST", path, &dev.to_string()).await.status, 201);
        assert_eq!(server.get_as(&bob, "/api/v2.0/projects/p").await.status, 200);
    }
}

#[tokio::test]
async fn unknown_members_are_looked_for_in_the_directory() {
    let slapd = Slapd::start();
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        sign_in_by(&server, &slapd).await;
        let path = "/api/v2.0/projects/p/members";
        let add =
            async |member: Value| server.ask("admin", "POST", path, &member.to_string()).await;
        let user = |name: &str| json!({"role_id": 1, "member_user": {"username": name}});
        let group = |dn: &str| json!({"role_id": 3, "member_group": {"ldap_group_dn": dn}});
        assert_eq!(add(user("alice")).await.status, 201);
        assert_eq!(add(user("alice")).await.code(), (409, "CONFLICT".to_owned()));
        for nobody in ["nobody", "*", "a*", "alice)(uid=*", "twin", "a\0b", " "] {
            let answer = add(user(nobody)).await;
            assert!(matches!(answer.status.as_u16(), 400 | 404), "{nobody}: {}", answer.body);
        }
        assert_eq!(add(group("cn=engineering,ou=groups,dc=example,dc=org")).await.status, 201);
        for nothing in ["cn=none,ou=groups,dc=example,dc=org", "nonsense", "cn=*", "cn=\0"] {
            let answer = add(group(nothing)).await;
            assert_eq!(answer.code().0, 400, "{nothing}: {}", answer.body);
        }
        let members = server.get("admin", path).await.json();
        let names: Vec<&str> = members
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["entity_name"].as_str().unwrap())
            .collect();
        assert!(names.contains(&"alice") && names.contains(&"engineering"), "{names:?}");
    }
}

#[tokio::test]
async fn a_directory_is_tried_and_searched() {
    let slapd = Slapd::start();
    for server in both().await {
        assert_eq!(ping(&server, &json!({})).await["success"], false);
        let search = "/api/v2.0/ldap/users/search?username=alice";
        assert_eq!(server.get("admin", search).await.code(), (400, "BAD_REQUEST".to_owned()));
        let probe = json!({
            "ldap_url": format!("ldap://127.0.0.1:{}", slapd.port),
            "ldap_search_dn": "cn=search,dc=example,dc=org",
            "ldap_search_password": LDAP_PASSWORD, "ldap_base_dn": "dc=example,dc=org",
            "ldap_uid": "uid", "ldap_scope": 2, "ldap_verify_cert": false,
            "ldap_connection_timeout": 2,
        });
        assert_eq!(ping(&server, &probe).await, json!({"success": true, "message": ""}));
        for (field, value) in [
            ("ldap_search_password", json!("wrong")),
            ("ldap_search_password", json!("")),
            ("ldap_url", json!("ldap://127.0.0.1:1")),
            ("ldap_url", json!("http://127.0.0.1")),
            ("ldap_url", json!("")),
            ("ldap_filter", json!("(uid=")),
        ] {
            let mut bad = probe.clone();
            bad[field] = value;
            let answer = ping(&server, &bad).await;
            assert_eq!(answer["success"], false, "{field}");
            assert!(!answer["message"].as_str().unwrap().is_empty());
        }
        for body in ["5", "{", "[]", r#"{"ldap_url":5}"#] {
            let answer = server.ask("admin", "POST", "/api/v2.0/ldap/ping", body).await;
            assert_eq!(answer.code().0, 400, "{body}");
        }
        sign_in_by(&server, &slapd).await;
        assert_eq!(ping(&server, &json!({})).await["success"], true);
        assert_eq!(
            server.ask("admin", "POST", "/api/v2.0/ldap/ping", "").await.json()["success"],
            true
        );
        let found = server.get("admin", search).await.json();
        let alice = json!([{
            "username": "alice", "realname": "Alice Archer", "email": "alice@example.org",
        }]);
        assert_eq!(found, alice);
        let search = "/api/v2.0/ldap/users/search?username=";
        for nobody in ["%2A", "a%2A", "%29%28uid%3D%2A", "%00", "nobody"] {
            let answer = server.get("admin", &format!("{search}{nobody}")).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "[]"), "{nobody}");
        }
        let groups = "/api/v2.0/ldap/groups/search";
        let found = server.get("admin", &format!("{groups}?groupname=engin")).await.json();
        assert_eq!(found[0]["ldap_group_dn"], "cn=engineering,ou=groups,dc=example,dc=org");
        let dn = "cn%3Ddev%2Cou%3Dgroups%2Cdc%3Dexample%2Cdc%3Dorg";
        let found = server.get("admin", &format!("{groups}?groupdn={dn}")).await.json();
        assert_eq!((&found[0]["group_name"], found.as_array().unwrap().len()), (&json!("dev"), 1));
        assert_eq!(server.get("admin", groups).await.code().0, 404);
        assert_eq!(server.get("admin", &format!("{groups}?groupname=none")).await.code().0, 404);
        assert_eq!(server.get("admin", &format!("{groups}?groupdn=nonsense")).await.code().0, 400);

        let import = "/api/v2.0/ldap/users/import";
        let body = r#"{"ldap_uid_list":["alice","nobody",""]}"#;
        let answer = server.ask("admin", "POST", import, body).await;
        assert_eq!(answer.status, 404);
        let failed = json!([
            {"uid": "nobody", "error": "unknown_user"}, {"uid": "", "error": "empty_uid"},
        ]);
        assert_eq!(answer.json(), failed);
        let body = r#"{"ldap_uid_list":["alice","bob"]}"#;
        let answer = server.ask("admin", "POST", import, body).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
        let found = server.get("admin", "/api/v2.0/users/search?username=bob").await.json();
        assert_eq!(found[0]["username"], "bob");

        let group = |name: &str, dn: &str| {
            json!({"group_name": name, "group_type": 1, "ldap_group_dn": dn}).to_string()
        };
        let path = "/api/v2.0/usergroups";
        for (name, dn, status) in [
            ("none", "cn=none,ou=groups,dc=example,dc=org", 400),
            ("bad", "nonsense", 400),
            ("all", "cn=everybody,ou=groups,dc=example,dc=org", 201),
            ("again", "CN=Everybody, ou=groups,dc=example,dc=org", 409),
        ] {
            let answer = server.ask("admin", "POST", path, &group(name, dn)).await;
            assert_eq!(answer.status, status, "{dn}: {}", answer.body);
        }
    }
}

/// The names in a list, and what else is told of each.
fn told(list: &Value, name: &str, more: &str) -> Vec<(String, Value)> {
    let read = |one: &Value| (one[name].as_str().unwrap().to_owned(), one[more].clone());
    list.as_array().unwrap().iter().map(read).collect()
}

#[tokio::test]
async fn directories_are_searched_by_a_part_of_a_name() {
    let slapd = Slapd::start();
    for server in both().await {
        let (people, groups) = ("/api/haven/v1/directory/people", "/api/haven/v1/directory/groups");
        for path in [people, groups] {
            assert_eq!(server.get("admin", path).await.code(), (400, "BAD_REQUEST".to_owned()));
        }
        sign_in_by(&server, &slapd).await;
        let import = r#"{"ldap_uid_list":["alice"]}"#;
        let path = "/api/v2.0/ldap/users/import";
        assert_eq!(server.ask("admin", "POST", path, import).await.status, 200);
        let alice = server.get("admin", "/api/v2.0/users/search?username=alice").await.json();
        // The list tells where people are from, and who has a password here.
        let users = server.get("admin", "/api/haven/v1/users?sort=username").await;
        assert_eq!(users.header("x-total-count"), "2");
        let users = users.json();
        assert_eq!(
            (&users[0]["username"], &users[1]["username"]),
            (&json!("admin"), &json!("alice"))
        );
        assert_eq!((&users[0]["has_password"], &users[0]["origins"]), (&json!(true), &json!([])));
        assert_eq!(
            (&users[1]["has_password"], &users[1]["origins"]),
            (&json!(false), &json!(["LDAP"]))
        );
        let one = format!("/api/haven/v1/users/{}", alice[0]["user_id"]);
        assert_eq!(server.get("admin", &one).await.json(), users[1]);

        let found = server.get("admin", &format!("{people}?text=example.ORG")).await.json();
        let shown = json!({"people": [{
            "username": "alice", "realname": "Alice Archer", "email": "alice@example.org",
            "source": "LDAP", "user_id": alice[0]["user_id"],
        }], "more": false});
        assert_eq!(found, shown);
        // Two entries of one name are one line, which nobody can be.
        let found = server.get("admin", people).await.json();
        let all = told(&found["people"], "username", "user_id");
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["alice", "bob", "o*(brien\\29", "twin"]);
        assert!(all[0].1.is_number() && all[1].1.is_null());
        for nobody in ["%29%28uid%3D%2A", "%00", "nobody", &"x".repeat(2000)] {
            let found = server.get("admin", &format!("{people}?text={nobody}")).await;
            assert_eq!(found.json(), json!({"people": [], "more": false}), "{nobody:.20}");
        }

        // She is in this group, which is known here since she was imported.
        let dn = "cn=dev,ou=groups,dc=example,dc=org";
        let found = server.get("admin", &format!("{groups}?text=E")).await.json();
        let all = told(&found["groups"], "group_name", "group_id");
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["dev", "engineering", "everybody"]);
        assert!(all[0].1.is_number() && all[1].1.is_null());
        for by_dn in ["cn%3DDEV%2Cou%3Dgroups%2Cdc%3Dexample%2Cdc%3Dorg", "dev"] {
            let found = server.get("admin", &format!("{groups}?text={by_dn}")).await.json();
            assert_eq!(found["groups"][0]["ldap_group_dn"], dn, "{by_dn}");
        }
        for nothing in ["cn%3Dnone%2Cdc%3Dexample", "cn%3D%00", "nothing", "%2A"] {
            let found = server.get("admin", &format!("{groups}?text={nothing}")).await;
            assert_eq!(found.json(), json!({"groups": [], "more": false}), "{nothing}");
        }
    }
}

#[tokio::test]
async fn who_adds_members_finds_whom_a_directory_knows() {
    let slapd = Slapd::start();
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        add_user(&server.domain, "owner").await;
        add_user(&server.domain, "bobby").await;
        let owner = json!({"role_id": 1, "member_user": {"username": "owner"}}).to_string();
        let path = "/api/v2.0/projects/p/members";
        assert_eq!(server.ask("admin", "POST", path, &owner).await.status, 201);
        let find = async |who: &str, asked: &str| {
            let path = format!("/api/haven/v1/projects/p/candidates?{asked}");
            server.get(who, &path).await.json()
        };
        let names = |found: &Value| -> Vec<String> {
            let all = told(&found["candidates"], "name", "id");
            all.into_iter().map(|(name, _)| name).collect()
        };
        // Without a directory, those who are known here.
        let found = find("owner", "text=bob").await;
        assert_eq!((names(&found), &found["directories"]), (vec!["bobby".into()], &json!([])));
        let sources = "/api/haven/v1/identity-sources";
        let directory = |port: u16| {
            json!({"name": "Staff", "type": "ldap", "secret": LDAP_PASSWORD, "settings": {
                "url": format!("ldap://127.0.0.1:{port}"), "base_dn": "dc=example,dc=org",
                "search_dn": "cn=search,dc=example,dc=org", "filter": "objectClass=inetOrgPerson",
                "group_base_dn": "ou=groups,dc=example,dc=org",
                "group_filter": "objectClass=groupOfNames",
            }})
            .to_string()
        };
        let made = server.ask("admin", "POST", sources, &directory(slapd.port)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let found = find("owner", "").await;
        let nobody = json!({"candidates": [], "directories": ["Staff"], "unanswered": false});
        assert_eq!(found, nobody);

        // A directory tells an administrator who has such a name, and others who has this one.
        assert_eq!(names(&find("admin", "text=bo").await), ["bobby", "bob"]);
        assert_eq!(names(&find("admin", "text=baker").await), ["bob"]);
        assert_eq!(names(&find("owner", "text=bo").await), ["bobby"]);
        assert_eq!(names(&find("owner", "text=baker").await), [""; 0]);
        assert_eq!(names(&find("owner", "text=*").await), [""; 0]);
        let found = find("owner", "text=bob").await;
        assert_eq!(names(&found), ["bobby", "bob"]);
        let bob = json!({"name": "bob", "realname": "Bob Baker", "source": "Staff"});
        assert_eq!(found["candidates"][1], bob);

        let dn = "cn%3Ddev%2Cou%3Dgroups%2Cdc%3Dexample%2Cdc%3Dorg";
        assert_eq!(names(&find("admin", "groups=true&text=de").await), ["dev"]);
        assert_eq!(names(&find("owner", "groups=true&text=de").await), [""; 0]);
        let found = find("owner", &format!("groups=true&text={dn}")).await;
        let dev = json!({
            "name": "dev", "group_type": 1, "source": "Staff",
            "ldap_group_dn": "cn=dev,ou=groups,dc=example,dc=org",
        });
        assert_eq!(found["candidates"], json!([dev]));
        let member = json!({"role_id": 2, "member_group": {"ldap_group_dn": dev["ldap_group_dn"]}});
        assert_eq!(server.ask("owner", "POST", path, &member.to_string()).await.status, 201);
        let found = find("owner", "groups=true&text=de").await;
        assert!(found["candidates"][0]["id"].is_number(), "{found}");
        assert_eq!(names(&find("admin", "groups=true&text=de").await), ["dev"]);

        let path = "/api/haven/v1/projects/p/candidates?text=bob";
        assert_eq!(server.get("bobby", path).await.status, 403);
        assert_eq!(server.get("", path).await.status, 401);
        assert_eq!(server.get("owner", &path.replace("/p/", "/none/")).await.status, 403);
        // Of somebody who is known here as well the directory tells the name in real life.
        let members = "/api/v2.0/projects/p/members";
        let member = json!({"role_id": 2, "member_user": {"username": "bob"}}).to_string();
        assert_eq!(server.ask("owner", "POST", members, &member).await.status, 201);
        let found = find("owner", "text=bob").await;
        assert_eq!(names(&found), ["bob", "bobby"]);
        assert!(found["candidates"][0]["id"].is_number(), "{found}");
        assert_eq!(found["candidates"][0]["realname"], "Bob Baker");
        // A directory that is away hides nobody who is known here.
        let changed = server.ask("admin", "PUT", &format!("{sources}/1"), &directory(1)).await;
        assert_eq!(changed.status, 200);
        let found = find("owner", "text=bobby").await;
        assert_eq!((names(&found), &found["unanswered"]), (vec!["bobby".into()], &json!(true)));
        let people = server.get("admin", "/api/haven/v1/directory/people").await;
        assert_eq!(people.status, 503, "{}", people.body);
    }
}

#[tokio::test]
async fn whom_two_directories_know_is_found_once() {
    let slapd = Slapd::start();
    for server in both().await {
        add_project(&server.domain, "p", false).await;
        let add = async |name: &str, position: i64| {
            let directory = json!({
                "name": name, "type": "ldap", "position": position, "secret": LDAP_PASSWORD,
                "settings": {
                    "url": format!("ldap://127.0.0.1:{}", slapd.port),
                    "base_dn": "dc=example,dc=org", "search_dn": "cn=search,dc=example,dc=org",
                    "filter": "objectClass=inetOrgPerson",
                },
            });
            let sources = "/api/haven/v1/identity-sources";
            let answer = server.ask("admin", "POST", sources, &directory.to_string()).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
        };
        let import = async |name: &str| {
            let body = json!({"ldap_uid_list": [name]}).to_string();
            let path = "/api/v2.0/ldap/users/import";
            assert_eq!(server.ask("admin", "POST", path, &body).await.status, 200);
        };
        add("Staff", 2).await;
        import("bob").await;
        // From now on this one is asked first.
        add("Guests", 1).await;
        let people = async |name: &str| {
            let path = format!("/api/haven/v1/directory/people?text={name}");
            let found = server.get("admin", &path).await.json();
            assert_eq!(found["people"].as_array().map(Vec::len), Some(1), "{found}");
            (found["people"][0]["source"].clone(), found["people"][0]["user_id"].is_number())
        };
        assert_eq!(people("bob").await, (json!("Staff"), true));
        assert_eq!(people("alice").await, (json!("Guests"), false));
        let candidate = async |name: &str| {
            let path = format!("/api/haven/v1/projects/p/candidates?text={name}");
            let found = server.get("admin", &path).await.json();
            assert_eq!(found["candidates"].as_array().map(Vec::len), Some(1), "{found}");
            found["candidates"][0].clone()
        };
        let bob = candidate("bob").await;
        assert_eq!((bob["id"].is_number(), &bob["realname"]), (true, &json!("Bob Baker")));
        assert_eq!(candidate("alice").await["source"], "Guests");
        // What is told of her is what becomes of her.
        import("alice").await;
        assert_eq!(people("alice").await, (json!("Guests"), true));
        let users = server.get("admin", "/api/haven/v1/users?sort=username").await.json();
        let origins = |at: usize| (users[at]["username"].clone(), users[at]["origins"].clone());
        assert_eq!(origins(1), (json!("alice"), json!(["Guests"])));
        assert_eq!(origins(2), (json!("bob"), json!(["Staff"])));
    }
}

#[tokio::test]
async fn who_may_not_learns_nothing_of_the_directory() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    for (method, path) in [
        ("POST", "/api/v2.0/ldap/ping"),
        ("GET", "/api/v2.0/ldap/users/search?username=x"),
        ("POST", "/api/v2.0/ldap/users/import"),
        ("GET", "/api/v2.0/ldap/groups/search?groupname=x"),
        ("GET", "/api/haven/v1/directory/people?text=x"),
        ("GET", "/api/haven/v1/users"),
        ("GET", "/api/haven/v1/users/1"),
        ("GET", "/api/haven/v1/directory/groups?text=x"),
        ("POST", "/api/v2.0/system/oidc/ping"),
        ("GET", "/api/haven/v1/identity-sources"),
        ("POST", "/api/haven/v1/identity-sources"),
        ("GET", "/api/haven/v1/identity-sources/0"),
        ("PUT", "/api/haven/v1/identity-sources/1"),
        ("DELETE", "/api/haven/v1/identity-sources/1"),
        ("POST", "/api/haven/v1/identity-sources/1/ping"),
    ] {
        for (who, status) in [("", 401), ("alice", 403)] {
            assert_eq!(
                server.ask(who, method, path, "{").await.code().0,
                status,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn identity_sources_have_operations_of_their_own() {
    let slapd = Slapd::start();
    for server in both().await {
        let path = "/api/haven/v1/identity-sources";
        let source = json!({
            "name": "Directory", "type": "ldap", "secret": LDAP_PASSWORD,
            "settings": {
                "url": format!("ldap://127.0.0.1:{}", slapd.port), "base_dn": "dc=example,dc=org",
                "search_dn": "cn=search,dc=example,dc=org", "filter": "objectClass=inetOrgPerson",
            },
        });
        let made = server.ask("admin", "POST", path, &source.to_string()).await;
        assert_eq!((made.status.as_u16(), made.header("location")), (201, &*format!("{path}/1")));
        assert_eq!(server.ask("admin", "POST", path, &source.to_string()).await.code().0, 409);
        let shown = server.get("admin", &format!("{path}/1")).await;
        assert!(!shown.body.contains(LDAP_PASSWORD));
        let shown = shown.json();
        assert_eq!((&shown["type"], &shown["has_secret"]), (&json!("ldap"), &json!(true)));
        assert_eq!(shown["settings"]["uid"], "uid");
        assert_eq!(server.get("admin", path).await.json().as_array().unwrap().len(), 1);
        let one = format!("{path}/1");
        assert_eq!(server.ask("admin", "POST", &format!("{one}/ping"), "").await.status, 200);
        let bob = basic("bob", LDAP_PASSWORD);
        assert_eq!(server.get_as(&bob, "/api/v2.0/users/current").await.status, 200);
        let mut off = source.clone();
        off["enabled"] = json!(false);
        assert_eq!(server.ask("admin", "PUT", &one, &off.to_string()).await.status, 200);
        assert_eq!(server.get_as(&bob, "/api/v2.0/users/current").await.status, 401);
        let refused = server.ask("admin", "DELETE", &one, "").await;
        assert_eq!(refused.code(), (412, "PRECONDITION".to_owned()));
        for body in ["", "{", "[]", "{}", r#"{"name":"x","type":"saml"}"#] {
            let answer = server.ask("admin", "POST", path, body).await;
            assert_eq!(answer.code().0, 400, "{body}");
        }
        for missing in ["99", "-1", "9223372036854775807"] {
            assert_eq!(server.get("admin", &format!("{path}/{missing}")).await.code().0, 404);
        }
        assert_eq!(server.get("admin", &format!("{path}/x")).await.code().0, 422);
        let oidc = r#"{"url":"http://127.0.0.1:1","verify_cert":true}"#;
        let answer = server.ask("admin", "POST", "/api/v2.0/system/oidc/ping", oidc).await;
        let expected = (400, "BAD_REQUEST".into(), "failed to verify connection".into());
        assert_eq!(answer.error(), expected);
    }
}
