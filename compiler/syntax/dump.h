#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/syntax/ast.h"

/// Parts of the AST as `--emit ast` shows them.
namespace mlp::syntax {

std::string quoted(std::string_view text);
std::string dump_expr(const ast::File& file, ast::ExprId id);  ///< `-` for none
std::string dump_argument(const ast::File& file, const ast::Argument& argument);
std::string dump_type(const ast::TypeRef& type);
std::string dump_types(const ast::TypeRefs& types);
std::string join(const std::vector<ast::Path>& paths);
std::string join(const std::vector<ast::Name>& names);

}  // namespace mlp::syntax
