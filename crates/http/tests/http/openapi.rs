//! The OpenAPI document.

use crate::server::sqlite;

#[tokio::test]
async fn the_document_is_where_clients_look_for_it() {
    let server = sqlite().await;
    let document = server.get("", "/api/v2.0/openapi.json").await;
    assert_eq!(document.status, 200);
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.json()["paths"]["/api/v2.0/users"]["get"]["operationId"], "listUsers");
    for other in ["/swagger.json", "/api/v2.0/swagger.json"] {
        assert_eq!(server.get("", other).await.body, document.body);
    }
}
