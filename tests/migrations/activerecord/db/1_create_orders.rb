# SPDX-License-Identifier: PostgreSQL
class CreateOrders < ActiveRecord::Migration[6.1]
  def change
    create_table :orders, id: :integer do |orders|
      orders.text :status, null: false
    end
  end
end
