# SPDX-License-Identifier: PostgreSQL
class CheckStatus < ActiveRecord::Migration[6.1]
  def up
    execute "UPDATE orders SET status = lower(status)"
    add_check_constraint :orders, "status IN ('open', 'paid')", name: "orders_status_check"
  end
end
