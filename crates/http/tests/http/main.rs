//! The application, asked as clients ask it, on both engines.

#![allow(clippy::unwrap_used, missing_docs)]

mod account;
mod artifacts;
mod audit;
mod browser;
mod configurations;
mod curation;
mod custom_roles;
mod find;
mod immutable;
mod gc;
mod jobs;
mod labels;
mod ldap;
mod lists;
mod members;
mod metadata;
mod oidc;
mod openapi;
mod overview;
mod personal_tokens;
mod projects;
mod quotas;
mod retention;
mod robots;
mod search;
mod second_factor;
mod server;
mod sessions;
mod system;
mod tags;
mod token;
mod usergroups;
mod users;
mod workload;
