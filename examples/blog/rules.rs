//! The rules of the blog, each a hook.

use remex::{AppContext, Error, Filter, Params, Query, Result, Service, ServiceExt, Value};
use serde::Deserialize;

/// Who calls.
#[derive(Clone, Copy)]
struct User {
    id: i64,
}

/// Tells whose records are meant.
pub(crate) fn user_id(params: &Params) -> Option<Value> {
    params.extensions.get::<User>().map(|user| user.id.into())
}

/// Finds out who calls, by the token that they sent. Who sends none is nobody, and may read.
pub(crate) async fn sign_in(mut ctx: AppContext) -> Result<AppContext> {
    let refused = || Error::unauthenticated("sign in with `Authorization: Bearer <token>`");
    let Some(header) = ctx.params().headers.get("authorization").filter(|_| ctx.is_client()) else { return Ok(ctx) };
    let token = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")).ok_or_else(refused)?;
    let query = Query::new().filter(Filter::eq("token", token)).select(["id"]);
    let users = ctx.app()?.documents("users")?;
    let user = users.silent().find_one(&query.into()).await?.ok_or_else(refused)?;
    let id = user["id"].as_i64().ok_or_else(refused)?;
    ctx.params_mut().extensions.insert(User { id });
    Ok(ctx)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    name: String,
    email: String,
}

pub(crate) fn user(user: &NewUser) -> Result<()> {
    said("name", &user.name)?;
    match user.email.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() => Ok(()),
        _ => Err(Error::unprocessable("the email address is none").with_field("email", "format", "has no `@`")),
    }
}

/// Makes the token by which a new user signs in.
pub(crate) async fn make_token(mut ctx: AppContext) -> Result<AppContext> {
    for user in ctx.inputs_mut() {
        user.insert("token", uuid::Uuid::new_v4().to_string());
    }
    Ok(ctx)
}

/// Shows the token once, to whoever has signed up: under another name, since no client ever gets to see a hidden field.
pub(crate) async fn show_token(mut ctx: AppContext) -> Result<AppContext> {
    let tokens: Vec<Value> = ctx.inputs().iter().map(|user| user["token"].clone()).collect();
    for (user, token) in ctx.records_mut().iter_mut().zip(tokens) {
        user.insert("access_token", token);
    }
    Ok(ctx)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "what is said of these is said by their types")]
pub(crate) struct NewPost {
    title: String,
    text: String,
    #[serde(default)]
    published: bool,
}

pub(crate) fn post(post: &NewPost) -> Result<()> {
    said("title", &post.title)
}

/// A post that does not say so is a draft.
pub(crate) async fn draft(mut ctx: AppContext) -> Result<AppContext> {
    for post in ctx.inputs_mut() {
        if !post.contains("published") {
            post.insert("published", false);
        }
    }
    Ok(ctx)
}

/// Drafts exist for their authors only.
pub(crate) async fn published_or_own(mut ctx: AppContext) -> Result<AppContext> {
    if ctx.is_client() {
        let published = Filter::eq("published", true);
        let seen = match user_id(ctx.params()) {
            Some(id) => published.or(Filter::eq("author_id", id)),
            None => published,
        };
        let params = ctx.params_mut();
        params.scope = std::mem::take(&mut params.scope).and(seen);
    }
    Ok(ctx)
}

/// Takes the comments of removed posts away; nobody waits for it.
pub(crate) async fn remove_comments(ctx: AppContext) -> Result<AppContext> {
    let ids: Vec<Value> = ctx.records().iter().map(|post| post["id"].clone()).collect();
    let query = Query::new().filter(Filter::is_in("post_id", ids));
    ctx.app()?.documents("comments")?.remove_many(&query.into()).await?;
    Ok(ctx)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "what is said of these is said by their types")]
pub(crate) struct NewComment {
    post_id: i64,
    text: String,
}

pub(crate) fn comment(comment: &NewComment) -> Result<()> {
    said("text", &comment.text)
}

/// Comments are on posts that their author can read.
pub(crate) async fn post_is_there(ctx: AppContext) -> Result<AppContext> {
    let posts = ctx.app()?.documents("posts")?;
    for comment in ctx.inputs() {
        let Some(id) = comment["post_id"].as_i64() else { continue };
        let query = Query::new().filter(Filter::eq("id", id)).select(["id"]);
        // As whoever comments, so that a draft of somebody else is not there.
        let params = Params { query, ..ctx.params().clone() };
        if posts.find_one(&params).await?.is_none() {
            let message = "there is no such post";
            return Err(Error::unprocessable(message).with_field("post_id", "missing", message));
        }
    }
    Ok(ctx)
}

fn said(field: &str, text: &str) -> Result<()> {
    match text.trim().is_empty() {
        true => {
            Err(Error::unprocessable(format!("`{field}` is empty")).with_field(field, "empty", "must not be empty"))
        }
        false => Ok(()),
    }
}
