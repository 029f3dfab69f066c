//! What the types of a handler say of its operation: each argument what it takes from a
//! request, the result what it answers.

use axum::http::StatusCode;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, Header, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::{RequestBody, RequestBodyBuilder},
    },
};

use super::error::Errors;

const JSON: &str = "application/json";

/// An operation as far as it is described.
#[derive(Default)]
pub(super) struct Description {
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    answers: Vec<(u16, Response)>,
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// What a handler takes of a request.
pub(super) trait Input {
    /// Adds what it takes.
    fn describe(description: &mut Description);
}

/// What a handler answers.
pub(super) trait Output {
    /// Adds what it answers.
    fn describe(description: &mut Description);
}

/// A handler with these arguments.
pub(super) trait Described<Arguments> {
    /// Adds what it takes and answers.
    fn describe(description: &mut Description);
}

impl Description {
    /// Adds a parameter.
    pub(super) fn parameter(&mut self, parameter: Parameter) {
        self.parameters.push(parameter);
    }

    /// Adds a header that a client may send.
    pub(super) fn header<T: PartialSchema>(&mut self, name: &str, text: &str) {
        self.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(text))
                .schema(Some(T::schema()))
                .build(),
        );
    }

    /// Sets the body.
    pub(super) fn json_body<T: ToSchema>(&mut self) {
        let content = Content::new(Some(self.schema_of::<T>()));
        self.body = Some(
            RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build(),
        );
    }

    /// Adds an answer without a body.
    pub(super) fn answers(&mut self, status: StatusCode, headers: &[&str]) {
        self.add(status, headers, None);
    }

    /// Adds an answer with a JSON body.
    pub(super) fn answers_json<T: ToSchema>(&mut self, status: StatusCode, headers: &[&str]) {
        let schema = self.schema_of::<T>();
        self.add(status, headers, Some((JSON, schema)));
    }

    /// Adds an answer with a body of a list in JSON.
    pub(super) fn answers_list<T: ToSchema>(&mut self, status: StatusCode, headers: &[&str]) {
        let items = self.schema_of::<T>();
        let schema = utoipa::openapi::Array::new(items);
        self.add(status, headers, Some((JSON, Schema::Array(schema).into())));
    }

    /// Adds an answer with a body of another type.
    pub(super) fn answers_text(
        &mut self,
        status: StatusCode,
        media_type: &'static str,
        headers: &[&str],
    ) {
        self.add(status, headers, Some((media_type, String::schema())));
    }

    /// Adds a status that the operation refuses with.
    pub(super) fn refuses(&mut self, status: u16) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.answers_json::<Errors>(status, &[]);
    }

    fn add(
        &mut self,
        status: StatusCode,
        headers: &[&str],
        content: Option<(&'static str, RefOr<Schema>)>,
    ) {
        let text = status.canonical_reason().unwrap_or("answered");
        let mut answer = ResponseBuilder::new().description(text);
        for name in headers.iter().chain(&["X-Request-Id"]) {
            answer = answer.header(*name, Header::new(String::schema()));
        }
        if let Some((media_type, schema)) = content {
            answer = answer.content(media_type, Content::new(Some(schema)));
        }
        self.answers.push((status.as_u16(), answer.build()));
    }

    /// The schema of a type: a reference to it if it has fields.
    fn schema_of<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let schema = T::schema();
        T::schemas(&mut self.schemas);
        match &schema {
            RefOr::T(Schema::Object(object)) if object.properties.is_empty() => schema,
            RefOr::T(Schema::Object(_) | Schema::AllOf(_)) => {
                let name = T::name().into_owned();
                self.schemas.push((name.clone(), schema));
                Ref::from_schema_name(name).into()
            }
            _ => schema,
        }
    }

    /// The operation for the document, and the schemas that it refers to.
    pub(super) fn into_operation(
        mut self,
        id: &str,
        tag: &str,
        summary: &str,
    ) -> (Operation, Vec<(String, RefOr<Schema>)>) {
        self.header::<String>("X-Request-Id", "An id for the request, which is echoed.");
        self.refuses(StatusCode::INTERNAL_SERVER_ERROR.as_u16());
        let mut operation = OperationBuilder::new()
            .operation_id(Some(id))
            .tag(tag)
            .summary(Some(summary))
            .parameters(Some(self.parameters))
            .request_body(self.body);
        for (status, answer) in self.answers {
            operation = operation.response(status.to_string(), answer);
        }
        (operation.build(), self.schemas)
    }
}

/// Handlers with so many arguments.
macro_rules! described {
    ($($argument:ident)*) => {
        impl<F, R, $($argument),*> Described<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R,
            R: Future<Output: Output>,
            $($argument: Input,)*
        {
            fn describe(description: &mut Description) {
                $($argument::describe(description);)*
                R::Output::describe(description);
            }
        }
    };
}

described!();
described!(A);
described!(A B);
described!(A B C);
described!(A B C D);
described!(A B C D E);
described!(A B C D E G);
described!(A B C D E G H);
described!(A B C D E G H I);
